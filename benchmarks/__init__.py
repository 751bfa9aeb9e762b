"""Side-by-side measurements, one command each; see README.md."""
