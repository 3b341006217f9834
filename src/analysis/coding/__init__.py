"""What makes an edition sound: checks, the rules of the codebook, verification, agreement."""
