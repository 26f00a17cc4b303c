"""What is written of people. Each service checks the right to do it and is atomic."""
