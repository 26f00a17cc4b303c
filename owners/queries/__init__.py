"""What is read of people: who answers for what since when, and who may sign in."""
