"""Reference solutions of the topic `bert`: an encoder that reads both ways, its pre-training and its fine-tunings."""
