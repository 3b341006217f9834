"""The MIME types in which notebooks hand exhibits and charts to the book."""

EXHIBIT = "application/vnd.parabook.exhibit+json"
"""An exhibit as plain JSON: what the book draws from."""

LAB_ONLY = "application/vnd.parabook.lab-only+json"
"""Marks an output that is for notebook front ends; the book draws its content from the exhibit."""

VEGALITE = "application/vnd.vegalite.v5+json"
"""The type that JupyterLab draws charts from, also of the later Vega-Lite that Altair writes."""
