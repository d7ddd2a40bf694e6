"""What training consists of: batches, optimizers, the rate's course, measurements, states that can be resumed."""
