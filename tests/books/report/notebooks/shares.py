"""Shares of a whole, in percent."""


def share(values):
    return [round(100 * value / sum(values), 1) for value in values]
