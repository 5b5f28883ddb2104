"""What a gallery is on disk: a catalogue in SQL, a file of features, and who may change them."""
