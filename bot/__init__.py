"""The process: wires everything, imported by nobody but tests."""
