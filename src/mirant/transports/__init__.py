"""What a request or a frame means: from bytes to turns of the bus, and from answers to bytes.

A host owns the bytes; a transport owns their meaning. Neither knows the other's types: a host gives the
transport a callable to answer with.
"""
