"""Clean one page, or many files of pages: stains, creases and shadows go, ink stays."""
