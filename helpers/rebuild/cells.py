"""Cox models of binary terms, compiled for the search: a few microseconds for 93 patients.

Patients are counted by cell (which terms are 1), so a risk set grows by additions alone, and
Newton starts from the last fit. Held equal to `helpers.fit.kernel` and through it to R by a test.
"""

import math

import numpy as np

from helpers.fit.compiled import fast


@fast
def two_sided(z):
    return max(math.erfc(abs(z) / math.sqrt(2.0)), 1e-300)


@fast
def score(order, time, event, cell, breslow, landmark, table, p, gradient, information):
    """Gradient and information of the partial likelihood.

    `table` has for each cell its risk, the risk times each of its terms, and times each pair of
    them (below the diagonal, by rows), so that a patient enters a risk set by additions alone.
    """
    width = table.shape[1]
    sums, tied_sums = np.zeros(width), np.zeros(width)
    mean = np.zeros(p)
    gradient[:] = 0.0
    information[:] = 0.0
    k, n = 0, len(order)
    while k < n:
        now, dead = time[order[k]], 0
        if now <= landmark:
            break
        while k < n and time[order[k]] == now:
            i = order[k]
            k += 1
            c = cell[i]
            if c < 0:
                continue
            for q in range(width):
                sums[q] += table[c, q]
            if event[i] == 1:
                if dead == 0:
                    tied_sums[:] = 0.0
                dead += 1
                for q in range(width):
                    tied_sums[q] += table[c, q]
                for a in range(p):
                    gradient[a] += c >> a & 1
        for tied in range(dead):
            # Efron: of d tied deaths, the k-th meets a risk set without k/d of their risk.
            share = 0.0 if breslow else tied / dead
            whole = 1.0 / (sums[0] - share * tied_sums[0])
            q = p + 1
            for a in range(p):
                mean[a] = (sums[a + 1] - share * tied_sums[a + 1]) * whole
                gradient[a] -= mean[a]
                for b in range(a + 1):
                    second = (sums[q] - share * tied_sums[q]) * whole
                    information[a, b] += second - mean[a] * mean[b]
                    q += 1
    for a in range(p):
        for b in range(a):
            information[b, a] = information[a, b]


@fast
def fill(table, p, beta):
    """The `table` of `score`, given the coefficients."""
    for c in range(table.shape[0]):
        linear = 0.0
        for a in range(p):
            if c >> a & 1:
                linear += beta[a]
        table[c, 0] = math.exp(linear)
        q = p + 1
        for a in range(p):
            one = c >> a & 1
            table[c, a + 1] = table[c, 0] * one
            for b in range(a + 1):
                table[c, q] = table[c, 0] * (one * (c >> b & 1))
                q += 1


@fast
def fit(order, time, event, cell, breslow, landmark, p, beta, error):
    """Cox coefficients and errors by Newton, from where `beta` stands; False when there are none.

    A start close by, the last fit of the search, saves half of the steps.
    """
    table, gradient = np.zeros((1 << p, 1 + p + p * (p + 1) // 2)), np.zeros(p)
    information, inverse, work = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    for _attempt in range(2):
        settled = False
        for _ in range(30):
            fill(table, p, beta)
            score(order, time, event, cell, breslow, landmark, table, p, gradient, information)
            if not invert(information, work, inverse):
                break
            if settled:
                for a in range(p):
                    error[a] = math.sqrt(inverse[a, a])
                return True
            settled, wild = True, False
            for a in range(p):
                step = 0.0
                for b in range(p):
                    step += inverse[a, b] * gradient[b]
                # Newton squares the distance: after a step below this none is left.
                settled = settled and abs(step) < 1e-5
                beta[a] += min(max(step, -1.5), 1.5)
                wild = wild or not abs(beta[a]) < 12.0
            if wild:
                break
        beta[:] = 0.0  # a bad start, or no finite maximum: once more from zero
    return False


@fast
def invert(a, work, out):
    """Inverse of a small symmetric matrix by elimination; False when it is singular."""
    p = a.shape[0]
    work[:] = a
    out[:] = 0.0
    for i in range(p):
        out[i, i] = 1.0
    for i in range(p):
        pivot = work[i, i]
        if not pivot > 1e-9:
            return False
        for j in range(p):
            work[i, j] /= pivot
            out[i, j] /= pivot
        for r in range(p):
            if r != i:
                factor = work[r, i]
                for j in range(p):
                    work[r, j] -= factor * work[i, j]
                    out[r, j] -= factor * out[i, j]
    return True


@fast
def proportional(order, time, event, cell, breslow, beta):
    """Chi-squared of Grambsch and Therneau's score test for a model of one term.

    Time enters as 1 - S(t-), the curve of all patients in the model, as in R's cox.zph.
    """
    n, at_risk, with_term = len(order), 0, 0
    for k in range(n):
        c = cell[order[k]]
        if c >= 0:
            at_risk += 1
            with_term += c
    risk, curve = math.exp(beta), 1.0
    u, i0, i1, i2, k = 0.0, 0.0, 0.0, 0.0, n - 1
    while k >= 0:
        now, gone, gone1, dead, dead1 = time[order[k]], 0, 0, 0, 0
        while k >= 0 and time[order[k]] == now:
            i = order[k]
            k -= 1
            if cell[i] >= 0:
                gone += 1
                gone1 += cell[i]
                dead += event[i]
                dead1 += event[i] * cell[i]
        g = 1.0 - curve
        for tied in range(dead):
            share = 0.0 if breslow else tied / dead
            first = (with_term - share * dead1) * risk
            mean = first / (first + at_risk - with_term - share * (dead - dead1))
            v = mean * (1.0 - mean)
            u -= g * mean
            i0 += v
            i1 += g * v
            i2 += g * g * v
        u += g * dead1
        if dead:
            curve *= 1.0 - dead / at_risk
        at_risk -= gone
        with_term -= gone1
    left = i2 - i1 * i1 / i0 if i0 > 0 else 0.0
    return u * u / left if left > 1e-12 else 0.0
