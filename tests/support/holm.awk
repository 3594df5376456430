# holm.awk CLAIMS: are the corrected p of claims.csv Holm's, and do the corrected verdicts follow?
# The k-th smallest is taken times family - k + 1 and is no smaller than the one before; the family
# are all claims, those that were not run too.  For awk -F, of lines that begin
# claim,verdict,p,verdict_corrected,p_corrected.
FNR > 1 { family++ }

FNR > 1 && $3 != "" {
    m++
    p[m] = $3
    got[m] = $5
    verdict[m] = $2
    corrected[m] = $4
    if (($2 == "open") != ($3 > 0.05)) bad++
}

END {
    for (k = 1; k <= m; k++) {
        least = 0
        for (i = 1; i <= m; i++)
            if (!(i in done) && (!least || p[i] < p[least])) least = i
        done[least] = 1
        want = p[least] * (family - k + 1)
        if (want > 1) want = 1
        if (want < before) want = before
        before = want
        if ((got[least] - want) ^ 2 > 1e-12 * want * want) bad++
        if (corrected[least] != (want <= 0.05 ? verdict[least] : "open")) bad++
    }
    exit !(m > 20 && !bad)
}
