"""What is known about the images, and the images themselves."""
