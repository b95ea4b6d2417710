"""The extensions that come with Mirant, one file each. A bus has those that it is given."""
