"""What makes an edition sound: checks, the rules of the codebook, verification against the source, agreement of two coders."""
