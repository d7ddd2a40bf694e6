"""What is known of a trained run and of the checkpoint made from it. `python -m report --help`."""
