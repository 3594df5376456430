#!/bin/sh
# repro_fixture.sh DIR: makes up what `make repro` leaves in a folder (CSVs of 4 seeds, tiny models), for tests of its report.
# The numbers are formulas with a little noise from a generator in awk; nothing is trained.  Prints nothing.
dir=$1
mkdir -p "$dir" || exit 1
awk -v dir="$dir" '
function uniform() { state = (state * 16807) % 2147483647; return state / 2147483647 }
function row(seed, p, tokens, trained, loss, accuracy, auc, kept, dropped) {
    printf "%s,%s,%s,%s,%s,%s,0.3,%s,0.001,%d,%d,%d,%.9g,%.9g,%.9g,%s,%s,,%.6f,%.6f,%s,%s,%s,%s", corpus, set, arm, seed, ratio, noise, size,
        POINTS * 4, tokens, trained, tokens * 1e6, tokens * 1e6 + extra, loss, accuracy, p == POINTS ? loss + 0.01 : "", loss + 1, loss + 0.8,
        dropped, p == 0 || corpus != "builtin" ? "" : 0.5 + auc / 4, p == 0 || corpus != "builtin" ? "" : 0.4 + auc / 4,
        p == 0 || corpus != "builtin" || auc == 0 ? "" : sprintf("%.6f", auc) >curves
    for (k = 0; k < 8; k++) printf ",%s", p == 0 || corpus != "builtin" ? "" : 100 * (k + 1) >curves
    for (k = 0; k < 8; k++) printf ",%s", p == 0 || corpus != "builtin" ? "" : int((k < 3 ? 60 : 20) * (k + 1) * (auc + 0.3)) >curves
    printf ",%s,%s,%s,0.6,%s,%s\n", kept, dropped, kept == "" ? "" : kept * 0.4 + dropped * 0.6, clean, name >curves
}
# One run: the target loss falls from `from` to `to` with time constant tau (in points).
function run(seed, to, tau, auc,    p, tokens, loss, jitter) {
    name = sprintf("%s-%s-%s-%s-%s-%s-%s-seed%d", corpus, set, arm, ratio, noise, size, clean, seed)
    jitter = (uniform() - 0.5) * 0.004
    for (p = 0; p <= POINTS; p++) {
        tokens = p * 4096
        loss = to + jitter * (p > 0) + (from - to) * exp(-p / tau)
        row(seed, p, tokens, tokens * (ratio == "" ? 1 : ratio), loss, corpus == "builtin" ? sprintf("%.6f", 1.2 - 2 * loss) : "", auc,
            set == "main" ? sprintf("%.6f", 0.4 + loss) : "", set == "main" ? sprintf("%.6f", arm == "slm" ? 2.5 - loss : 1.5 + loss) : "")
        printf "%s,%d,%.3f\n", name, tokens, p * 0.25 >times
    }
    printf "%s,,%.3f\n", name, POINTS * 0.3 >times
}
function runs(n, to, tau, auc,    seed) { for (seed = 1; seed <= n; seed++) run(seed, to, tau, auc) }
function group(c, s, a, r, n, z, cl) { corpus = c; set = s; arm = a; ratio = r; noise = n; size = z; clean = cl; extra = a ~ /^slm/ ? 4e9 : 0 }
BEGIN {
    POINTS = 12; state = 20240411; from = 0.5
    curves = dir "/curves.csv"; times = dir "/times.csv"; trajectories = dir "/trajectories.csv"; selections = dir "/selections.csv"
    printf "corpus,set,arm,seed,ratio,noise,wrong,size,lr,steps,tokens,trained,flops,flops_all,target_loss,target_accuracy,valid_loss," >curves
    printf "valid_accuracy,all_loss,kept_loss,dropped_loss,precision,recall,auc" >curves
    split("problem step result other wrong id stamp markup", kinds, " ")
    for (k = 1; k <= 8; k++) printf ",seen_%s", kinds[k] >curves
    for (k = 1; k <= 8; k++) printf ",kept_%s", kinds[k] >curves
    print ",fixed_kept_loss,fixed_dropped_loss,fixed_all_loss,target_share,clean_bytes,run" >curves
    print "run,tokens,seconds" >times
    group("builtin", "main", "base", "", 0.2, "", 60000);              runs(1, 0.5, 1, 0)
    group("builtin", "main", "reference", "", 0.2, "", 60000);         runs(4, 0.345, 3, 0)
    group("builtin", "main", "clm", "", 0.2, "", 60000);               runs(4, 0.42, 6, 0)
    group("builtin", "main", "slm", 0.4, 0.2, "", 60000);              runs(4, 0.35, 3, 0.8)
    group("builtin", "main", "slm_sequence", 0.4, 0.2, "", 60000);     runs(4, 0.355, 3, 0.79)
    group("builtin", "main", "random", 0.4, 0.2, "", 60000);           runs(4, 0.45, 6, 0.5)
    group("builtin", "main", "loss", 0.4, 0.2, "", 60000);             runs(4, 0.47, 6, 0.3)
    group("builtin", "main", "ref", 0.4, 0.2, "", 60000);              runs(4, 0.39, 4, 0.7)
    group("builtin", "main", "entropy", 0.4, 0.2, "", 60000);          runs(4, 0.40, 4, 0.65)
    group("builtin", "main", "intersect", 0.4, 0.2, "", 60000);        runs(4, 0.40, 4, 0.65)
    group("builtin", "main", "union", 0.4, 0.2, "", 60000);            runs(4, 0.41, 4, 0.65)
    group("builtin", "main", "oracle", "", 0.2, "", 60000);            runs(4, 0.36, 4, 0)
    group("builtin", "main", "filtered", "", 0.2, "", 60000);          runs(4, 0.38, 4, 0)
    group("builtin", "main", "mixed", "", 0.2, "", 60000);             runs(4, 0.37, 4, 0)
    group("builtin", "main", "clm_tuned", "", 0.2, "", 60000);         runs(4, 0.352, 4, 0)
    group("builtin", "main", "slm_tuned", 0.4, 0.2, "", 60000);        runs(4, 0.33, 3, 0.8)
    group("builtin", "main", "null_reference", 0.4, 0.2, "", 60000);   runs(4, 0.44, 6, 0.5)
    for (r = 1; r <= 5; r++) { group("builtin", "ratio", "slm", r * 0.2, 0.2, "", 60000); state = 7; runs(3, r == 5 ? 0.42 : 0.34 + 0.02 * (r - 2) ^ 2, 3, 0.8) }
    group("builtin", "ratio", "clm", "", 0.2, "", 60000); state = 7; runs(3, 0.42, 3, 0)
    for (n = 0; n <= 0.4; n += 0.2) {
        group("builtin", "map", "clm", "", n, "", 60000); runs(3, 0.43, 6, 0)
        for (r = 0.3; r <= 0.9; r += 0.3) { group("builtin", "map", "slm", r, n, "", 60000); runs(3, 0.45 - n * (1 - r) * 0.4, 4, 0.8) }
    }
    group("builtin", "self", "clm", "", 0.2, "", 60000); runs(3, 0.42, 6, 0)
    for (r = 0.5; r <= 0.9; r += 0.2) { group("builtin", "self", "ref", r, 0.2, "", 60000); runs(3, 0.415, 6, 0.6) }
    for (r = 0.6; r <= 0.8; r += 0.2) { group("builtin", "self", "slm", r, 0.2, "", 60000); runs(3, 0.40, 6, 0.6) }
    group("builtin", "weak", "clm", "", 0.2, "", 60000); runs(3, 0.42, 6, 0)
    for (z = 0.0625; z <= 1; z *= 4) { group("builtin", "weak", "slm", 0.4, 0.2, z, 60000); runs(3, 0.42 - 0.06 * z, 4, 0.7) }
    group("builtin", "control", "clm", "", 0, "", 60000); runs(4, 0.36, 4, 0)
    group("builtin", "control", "slm", 0.4, 0, "", 60000); runs(4, 0.361, 4, 0.5)
    group("builtin", "scratch", "clm", "", 0.2, "", 60000); from = 3; runs(3, 0.6, 3, 0)
    group("builtin", "scratch", "slm", 0.4, 0.2, "", 60000); runs(3, 0.7, 3, 0.6); from = 0.5
    for (cl = 4000; cl <= 16000; cl *= 4) {
        group("builtin", "clean", "reference", "", 0.2, "", cl); runs(3, 0.5 - cl / 160000, 3, 0)
        group("builtin", "clean", "slm", 0.4, 0.2, "", cl); runs(3, 0.4 - cl / 400000, 3, 0.7)
        group("builtin", "clean", "slm_tuned", 0.4, 0.2, "", cl); runs(3, 0.39 - cl / 400000, 3, 0.7)
        group("builtin", "clean", "clm_tuned", "", 0.2, "", cl); runs(3, 0.43 - cl / 300000, 3, 0)
    }
    from = 3
    group("openstax", "main", "reference", "", "", "", 480000); runs(1, 2.1, 3, 0)
    group("openstax", "main", "clm", "", "", "", 480000); runs(4, 2.7, 6, 0)
    group("openstax", "main", "slm", 0.4, "", "", 480000); runs(4, 2.3, 2.5, 0)
    group("openstax", "main", "slm", 0.6, "", "", 480000); runs(4, 2.4, 3, 0)
    group("openstax", "main", "random", 0.4, "", "", 480000); runs(4, 2.8, 6, 0)
    group("openstax", "main", "loss", 0.4, "", "", 480000); runs(4, 3.05, 6, 0)
    group("openstax", "main", "clm_tuned", "", "", "", 480000); runs(4, 2.2, 4, 0)
    group("openstax", "main", "slm_tuned", 0.4, "", "", 480000); runs(4, 2.15, 3, 0)

    print "seed,null,class,share,point,tokens,mean_loss" >trajectories
    split("HL LH HH LL", class, " ")
    split("0.26 0.12 0.11 0.51", share, " "); split("0.10 0.09 0.15 0.66", chance, " ")
    split("-1 0.5 0 0", slope, " "); split("3.3 3.3 3.7 0.2", level, " ")
    for (s = 1; s <= 4; s++) for (null = 0; null <= 1; null++) for (c = 1; c <= 4; c++) {
        part = (null ? chance[c] : share[c]) + (uniform() - 0.5) * 0.01
        for (p = 1; p <= 8; p++) printf "%d,%d,%s,%.6f,%d,%d,%.6f\n", s, null, class[c], part, p, p * 8192, level[c] + (null ? 0.1 : 1) * slope[c] * p / 8 >trajectories
    }
    print "seed,kind,selected_by,measured_at,tokens,perplexity" >selections
    for (s = 1; s <= 4; s++) for (cross = 0; cross <= 1; cross++) for (b = 2; b <= 8; b += 2) for (p = 1; p <= 8; p++)
        printf "%d,%s,%d,%d,%d,%.6f\n", s, cross ? "cross_seed" : "own", b, p, p * 8192, 2.6 - 0.02 * p + (p == b && !cross) * 0.05 + (uniform() - 0.5) * 0.004 >selections
    print "corpus,arm,lr,valid_loss,chosen\nbuiltin,clm,0.001,0.43,1\nbuiltin,clm,0.002,0.44,0" >(dir "/tuning.csv")
    print "key,value\nquick,0\nratio,0.4\ncompiler,\"a compiler, made up\"" >(dir "/settings.csv")
}'
