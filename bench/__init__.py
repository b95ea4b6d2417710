"""What single parts of Mirant cost, without a network: see README.md."""
