"""What training needs besides the model: examples, batches, targets, loss, optimizer."""
