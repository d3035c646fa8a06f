"""What the bilan of 2016 says of its groupings, as the first annual sheet of the demonstration."""
