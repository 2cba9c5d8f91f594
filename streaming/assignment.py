"""The best pairing of rows with columns: exact, for the few dozen objects of one picture."""

from __future__ import annotations

import numpy as np

FREE = -1


def assign(gains: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs (row, column) with the largest sum of ``gains``, in the order of rows.

    ``gains`` has shape (rows, columns); a pair that gains zero or less is never made. Shortest augmenting paths
    (Jonker and Volgenant 1987), O(rows² columns) after rows and columns without any gain are left out.
    """
    gains = np.maximum(gains, 0)
    rows, columns = np.flatnonzero(gains.any(axis=1)), np.flatnonzero(gains.any(axis=0))
    if not len(rows):
        return []
    costs = -gains[np.ix_(rows, columns)]
    if len(rows) <= len(columns):
        pairs = ((row, columns[taken]) for row, taken in zip(rows, _cheapest(costs), strict=True))
    else:
        pairs = ((rows[taken], column) for column, taken in zip(columns, _cheapest(costs.T), strict=True))
    return sorted((int(row), int(column)) for row, column in pairs if gains[row, column] > 0)


def _cheapest(costs: np.ndarray) -> np.ndarray:
    """Return for each row of a matrix no taller than wide a column of its own, so that the sum of costs is least."""
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, FREE), np.full(columns, FREE)
    for start in range(rows):
        distance, before, is_done = np.full(columns, np.inf), np.full(columns, FREE), np.zeros(columns, bool)
        row, reached, column = start, 0.0, FREE
        while row != FREE:
            through = reached + costs[row] - row_price[row] - column_price
            is_shorter = (through < distance) & ~is_done
            distance[is_shorter], before[is_shorter] = through[is_shorter], row
            column = int(np.where(is_done, np.inf, distance).argmin())
            reached = float(distance[column])
            is_done[column] = True
            row = int(row_of[column])
        settled = is_done & (row_of != FREE)
        row_price[start] += reached
        row_price[row_of[settled]] += reached - distance[settled]
        column_price[is_done] -= reached - distance[is_done]
        while row != start:
            row = int(before[column])
            row_of[column] = row
            column_of[row], column = column, int(column_of[row])
    return column_of
