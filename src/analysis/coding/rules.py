from analysis.rules import RULES  # stub
__all__=["RULES"]
