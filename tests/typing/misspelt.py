"""What people misspell: a type checker finds each line that says so, and no other."""

import numpy as np

import lookalike as la

X = np.eye(5)

la.knn(X, k=1, metric="corelation")  # wrong
la.knn(X, k=1, include_self="last")  # wrong
la.knn(X, k="1")  # wrong
la.radius_neighbors(X, metric="l1")  # wrong
la.radius_neighbors(X, radius=1, include_self="first")  # wrong
la.cdist(X, X, "cosin")  # wrong
la.pdist(X, "hamming distance")  # wrong
la.Index(X, metric="L2")  # wrong
la.evaluate(X, list("aabbb"), metrics="manhatan")  # wrong
la.knn(X, k=1).to_csr("weights")  # wrong
la.knn(X, k=1).to_csr(symmetric="or")  # wrong
print(la.knn(X, k=1).distance)  # wrong
la.knn(X, k=1, neighbours=3)  # wrong
print(la.knn(X, k=1, return_stats=True).indices)  # wrong
