"""Networks of text, and counting beside them."""
