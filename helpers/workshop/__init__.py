"""What makes the data, runs the series and builds the book; no notebook imports it."""
