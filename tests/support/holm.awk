# holm.awk CLAIMS: are the corrected p of claims.csv Holm's, and do the corrected verdicts follow?
# The k-th smallest is taken times family - k + 1 and is no smaller than the one before; the family
# are all claims, those that were not run too, but for the announced ones, which are another one.
# For awk -F, of lines that begin claim,verdict,p,verdict_corrected,p_corrected.
FNR > 1 {
    f = $1 ~ /^announced-/
    family[f]++
    if ($3 == "") next
    i = ++m[f]
    p[f, i] = $3
    got[f, i] = $5
    verdict[f, i] = $2
    corrected[f, i] = $4
    if (($2 == "open") != ($3 > 0.05)) bad++
}

# The place of the smallest p of a family that is not done yet.
function next_of(f,    i, least) {
    for (i = 1; i <= m[f]; i++)
        if (!((f, i) in done) && (!least || p[f, i] < p[f, least])) least = i
    done[f, least] = 1
    return least
}

END {
    for (f = 0; f <= 1; f++) {
        before = 0
        for (k = 1; k <= m[f]; k++) {
            i = next_of(f)
            want = p[f, i] * (family[f] - k + 1)
            if (want > 1) want = 1
            if (want < before) want = before
            before = want
            if ((got[f, i] - want) ^ 2 > 1e-12 * want * want) bad++
            if (corrected[f, i] != (want <= 0.05 ? verdict[f, i] : "open")) bad++
        }
    }
    exit !(m[0] > 20 && m[1] == 4 && !bad)
}
