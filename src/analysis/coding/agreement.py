from analysis.agreement import agreement  # stub
__all__=["agreement"]
