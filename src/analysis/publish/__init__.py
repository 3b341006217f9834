"""The machinery that makes the book: run the chapters, stage, build, publish. No notebook imports it."""
