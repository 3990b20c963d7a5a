"""Float and ball arithmetic: the only home of FLINT, solvers and batched kernels."""
