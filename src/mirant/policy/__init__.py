"""What an operator declares in a file: the options of a bus, and who may do what."""
