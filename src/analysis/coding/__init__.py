"""What makes an edition valid: checks, the rules of the codebook, verification against the source, agreement of two coders."""
