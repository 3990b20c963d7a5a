"""Two parameters of a network: where its cycles exist and how stable they are, as exact curves and as proved cells of the plane."""
