# interval.awk FIGURE CURVES: is the interval of the figure's row `Selective (SLM) 40%,by target
# loss` the 2.5% and 97.5% of all 256 resamples of four seeds?  (The report draws resamples.)  For
# awk -F,
FNR == NR {
    if (index($0, "Selective (SLM) 40%,by target loss,") == 1) {
        low = $4
        high = $5
    }
    next
}

FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    next
}

$column["corpus"] == "builtin" && $column["set"] == "main" {
    arm = $column["arm"]
    s = $column["seed"]
    p = ++n[arm, s]
    x[arm, s, p] = $column["tokens"]
    y[arm, s, p] = $column["target_loss"]
}

# How much sooner one seed's selective run reaches where its plain run ends, as a logarithm.
function log_sooner(s,    end, level, p, part, at) {
    end = n["clm", s]
    level = y["clm", s, end]
    for (p = 2; p <= n["slm", s]; p++) {
        if (y["slm", s, p] > level) continue
        part = (y["slm", s, p - 1] - level) / (y["slm", s, p - 1] - y["slm", s, p])
        at = x["slm", s, p - 1] + part * (x["slm", s, p] - x["slm", s, p - 1])
        return log(x["clm", s, end] / at)
    }
}

END {
    for (s = 1; s <= 4; s++) v[s] = log_sooner(s)
    for (i = 0; i < 256; i++) {
        a = v[i % 4 + 1]
        b = v[int(i / 4) % 4 + 1]
        c = v[int(i / 16) % 4 + 1]
        d = v[int(i / 64) + 1]
        mean = exp((a + b + c + d) / 4)
        below += mean < low - 1e-9
        up_to_low += mean <= low + 1e-9
        above += mean > high + 1e-9
        from_high += mean >= high - 1e-9
    }
    exit !(below / 256 <= 0.032 && up_to_low / 256 >= 0.018 && above / 256 <= 0.032 \
        && from_high / 256 >= 0.018)
}
