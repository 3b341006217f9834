"""What makes the book of an edition: the command line, the plug-in for parabook, new editions. No notebook imports it."""
