# fixture.awk: the made-up runs of fixture.sh, written to the folder `dir`.

function uniform() {
    state = (state * 16807) % 2147483647
    return state / 2147483647
}

# ---- curves.csv and times.csv ----

# What follows belongs to this group of runs.  Selective arms cost some work for the scores.
function group(its_corpus, its_set, its_arm, its_ratio, its_noise, its_size, its_clean) {
    corpus = its_corpus
    set = its_set
    arm = its_arm
    ratio = its_ratio
    noise = its_noise
    size = its_size
    clean = its_clean
    extra = arm ~ /^slm/ ? 4e9 : 0
}

function add(field) {
    line = line "," field
}

# One point of a run.  Some columns are known on the built-in corpus only, after the first point.
function point(seed, p, loss, auc,    known, tokens, trained, own, kept, dropped, k, share) {
    known = p > 0 && corpus == "builtin"
    own = corpus ~ /builtin|facts|labels/ ? sprintf("%.6f", 1.2 - 2 * loss) : ""
    if (set == "main") {
        kept = sprintf("%.6f", 0.4 + loss)
        dropped = sprintf("%.6f", arm == "slm" ? 2.5 - loss : 1.5 + loss)
    }
    tokens = p * 4096 * steps / (POINTS * 4)
    trained = tokens * (ratio == "" ? 1 : ratio)

    line = corpus "," set "," arm "," seed "," ratio "," noise "," wrong "," size ",0.001"
    add(sprintf("%d,%d,%d", steps, tokens, trained))
    add(sprintf("%.9g,%.9g,%.9g", tokens * 1e6, tokens * 1e6 + extra, loss))
    add(own)
    add(p == POINTS ? loss + 0.01 : "")
    add(p == POINTS && own != "" ? own - 0.01 : "")
    add(sprintf("%.6f,%.6f,%s", loss + 1, loss + 0.8, dropped))
    add(known ? 0.5 + auc / 4 : "")
    add(known ? 0.4 + auc / 4 : "")
    add(known && auc != 0 ? sprintf("%.6f", auc) : "")
    for (k = 0; k < 8; k++) add(known ? 100 * (k + 1) : "")
    for (k = 0; k < 8; k++) {
        share = k < 3 ? 60 : 20
        add(known ? int(share * (k + 1) * (auc + 0.3)) : "")
    }
    add(kept)
    add(dropped)
    add(kept == "" ? "" : kept * 0.4 + dropped * 0.6)
    add("0.6")
    add(clean)
    add(p == POINTS && corpus == "facts" ? sprintf("%.6f", own / 2) : "")
    add(name)
    print line >curves
}

# A run: the target loss falls from `from` to `to`, with time constant tau (in points).
function run(seed, to, tau, auc,    p, jitter, loss) {
    name = corpus "-" set "-" arm "-" ratio "-" noise "-" size "-" clean "-seed" seed
    jitter = (uniform() - 0.5) * 0.004
    for (p = 0; p <= POINTS; p++) {
        loss = to + jitter * (p > 0) + (from - to) * exp(-p / tau)
        point(seed, p, loss, auc)
        printf "%s,%d,%.3f\n", name, p * 4096, p * 0.25 >times
    }
    printf "%s,,%.3f\n", name, POINTS * 0.3 >times
}

function runs(n, to, tau, auc,    seed) {
    for (seed = 1; seed <= n; seed++) run(seed, to, tau, auc)
}

function heads(    kinds, k) {
    printf "corpus,set,arm,seed,ratio,noise,wrong,size,lr,steps,tokens,trained,flops," >curves
    printf "flops_all,target_loss,target_accuracy,valid_loss,valid_accuracy,all_loss," >curves
    printf "kept_loss,dropped_loss,precision,recall,auc" >curves
    split("problem step result other wrong id stamp markup", kinds, " ")
    for (k = 1; k <= 8; k++) printf ",seen_%s", kinds[k] >curves
    for (k = 1; k <= 8; k++) printf ",kept_%s", kinds[k] >curves
    printf ",fixed_kept_loss,fixed_dropped_loss,fixed_all_loss,target_share,clean_bytes" >curves
    print ",target_exact,run" >curves
    print "run,tokens,seconds" >times
}

# An arm of the main comparison on the built-in corpus.
function main_arm(its_arm, its_ratio, n, to, tau, auc) {
    group("builtin", "main", its_arm, its_ratio, 0.2, "", 60000)
    runs(n, to, tau, auc)
}

function main_arms() {
    main_arm("base", "", 1, 0.5, 1, 0)
    main_arm("reference", "", 4, 0.345, 3, 0)
    main_arm("clm", "", 4, 0.42, 6, 0)
    main_arm("slm", 0.4, 4, 0.35, 3, 0.8)
    main_arm("slm_sequence", 0.4, 4, 0.355, 3, 0.79)
    main_arm("random", 0.4, 4, 0.45, 6, 0.5)
    main_arm("loss", 0.4, 4, 0.47, 6, 0.3)
    main_arm("ref", 0.4, 4, 0.39, 4, 0.7)
    main_arm("entropy", 0.4, 4, 0.40, 4, 0.65)
    main_arm("intersect", 0.4, 4, 0.40, 4, 0.65)
    main_arm("union", 0.4, 4, 0.41, 4, 0.65)
    main_arm("oracle", "", 4, 0.36, 4, 0)
    main_arm("filtered", "", 4, 0.38, 4, 0)
    main_arm("mixed", "", 4, 0.37, 4, 0)
    main_arm("clm_tuned", "", 4, 0.352, 4, 0)
    main_arm("slm_tuned", 0.4, 4, 0.33, 3, 0.8)
    main_arm("null_reference", 0.4, 4, 0.44, 6, 0.5)
    main_arm("clean", "", 4, 0.34, 4, 0)
}

# Ratio 1 is plain training to the digit: all of these begin with the same random state.
function ratios(    r) {
    for (r = 1; r <= 10; r++) {
        group("builtin", "ratio", "slm", r / 10, 0.2, "", 60000)
        state = 7
        runs(3, r == 10 ? 0.42 : 0.34 + 0.005 * (r - 4) ^ 2, 3, 0.8)
    }
    group("builtin", "ratio", "clm", "", 0.2, "", 60000)
    state = 7
    runs(3, 0.42, 3, 0)
}

function maps(    n, r) {
    for (n = 0; n <= 0.61; n += 0.2) {
        group("builtin", "map", "clm", "", n, "", 60000)
        runs(3, 0.43, 6, 0)
        for (r = 0.2; r <= 0.61; r += 0.2) {
            group("builtin", "map", "slm", r, n, "", 60000)
            runs(3, 0.45 - n * (1 - r) * 0.4, 4, 0.8)
        }
    }
}

function self_references(    r) {
    group("builtin", "self", "clm", "", 0.2, "", 60000)
    runs(3, 0.42, 6, 0)
    for (r = 0.5; r <= 0.9; r += 0.2) {
        group("builtin", "self", "ref", r, 0.2, "", 60000)
        runs(3, 0.415, 6, 0.6)
    }
    for (r = 0.6; r <= 0.8; r += 0.2) {
        group("builtin", "self", "slm", r, 0.2, "", 60000)
        runs(3, 0.40, 6, 0.6)
    }
}

function weak_references(    z) {
    group("builtin", "weak", "clm", "", 0.2, "", 60000)
    runs(3, 0.42, 6, 0)
    for (z = 0.0625; z <= 1; z *= 4) {
        group("builtin", "weak", "slm", 0.4, 0.2, z, 60000)
        runs(3, 0.42 - 0.06 * z, 4, 0.7)
    }
}

function controls() {
    group("builtin", "control", "clm", "", 0, "", 60000)
    runs(4, 0.36, 4, 0)
    group("builtin", "control", "slm", 0.4, 0, "", 60000)
    runs(4, 0.361, 4, 0.5)

    from = 3
    group("builtin", "scratch", "clm", "", 0.2, "", 60000)
    runs(3, 0.6, 3, 0)
    group("builtin", "scratch", "slm", 0.4, 0.2, "", 60000)
    runs(3, 0.7, 3, 0.6)
    from = 0.5
}

function clean_texts(    cl) {
    for (cl = 4000; cl <= 15000; cl += 11000) {
        group("builtin", "clean", "reference", "", 0.2, "", cl)
        runs(3, 0.5 - cl / 160000, 3, 0)
        group("builtin", "clean", "slm", 0.4, 0.2, "", cl)
        runs(3, 0.4 - cl / 400000, 3, 0.7)
        group("builtin", "clean", "slm_tuned", 0.4, 0.2, "", cl)
        runs(3, 0.39 - cl / 400000, 3, 0.7)
        group("builtin", "clean", "clm_tuned", "", 0.2, "", cl)
        runs(3, 0.43 - cl / 300000, 3, 0)
        group("builtin", "clean", "clean", "", 0.2, "", cl)
        runs(3, 0.46 - cl / 300000, 3, 0)
        group("builtin", "clean", "doc", 0.4, 0.2, "", cl)
        runs(3, 0.38 - cl / 300000, 3, 0)
    }
}

# An arm of another set or corpus that trains on the noisy text.
function other_arm(its_corpus, its_set, its_arm, to) {
    group(its_corpus, its_set, its_arm, its_arm ~ /slm/ ? 0.4 : "", 0.2, "", 60000)
    runs(4, to, 4, 0)
}

# Facts are learned by documents, not by selection; labels by selection, not by documents.
function documents(    w) {
    other_arm("builtin", "documents", "clm", 0.42)
    other_arm("builtin", "documents", "slm", 0.35)
    other_arm("builtin", "followers", "slm_by_clean", 0.32)
    other_arm("builtin", "followers", "slm", 0.35)
    group("builtin", "followers", "soft", 0.4, 0.2, "", 60000)
    runs(4, 0.37, 4, 0)
    other_arm("builtin", "documents", "doc", 0.36)
    other_arm("builtin", "documents", "doc_slm", 0.34)
    other_arm("builtin", "documents", "clean", 0.34)
    other_arm("builtin", "documents", "slm_tuned", 0.33)
    other_arm("builtin", "documents", "doc_tuned", 0.33)
    other_arm("builtin", "remedies", "slm", 0.35)
    other_arm("builtin", "remedies", "slm_by_second", 0.34)
    other_arm("builtin", "remedies", "explore", 0.37)
    other_arm("builtin", "remedies", "floor", 0.36)
    other_arm("builtin", "remedies", "slm_by_both", 0.34)
    other_arm("builtin", "remedies", "doc_veto", 0.33)
    other_arm("builtin", "remedies", "split", 0.34)
    other_arm("facts", "main", "clm", 0.42)
    other_arm("facts", "main", "slm", 0.46)
    other_arm("facts", "main", "random", 0.44)
    other_arm("facts", "main", "loss", 0.45)
    other_arm("facts", "main", "mixed", 0.41)
    other_arm("facts", "main", "clean", 0.49)
    other_arm("facts", "main", "reference", 0.495)
    other_arm("facts", "main", "doc", 0.30)
    other_arm("facts", "main", "slm_by_second", 0.38)
    other_arm("facts", "main", "explore", 0.45)
    other_arm("facts", "main", "floor", 0.47)
    other_arm("facts", "main", "slm_by_both", 0.43)
    other_arm("facts", "main", "doc_veto", 0.33)
    other_arm("facts", "main", "split", 0.41)
    other_arm("confirm", "confirm", "clm", 0.42)
    other_arm("confirm", "confirm", "slm", 0.40)
    other_arm("confirm", "confirm", "random", 0.44)
    other_arm("confirm", "confirm", "doc", 0.39)
    other_arm("confirm", "confirm", "clean", 0.36)
    for (w = 1; w <= 6; w += w == 1 ? 2 : 3) {
        wrong = w / 10
        other_arm("labels", "labels", "clm", 0.40 + w / 100)
        other_arm("labels", "labels", "slm", 0.35 + w / 200)
        other_arm("labels", "labels", "slm_by_clean", 0.34 + w / 200)
        other_arm("labels", "labels", "doc", 0.39 + w / 100)
    }
    wrong = 0.3
}

# Plain training on 1, 2, 4, 8 and 16 times the text; and the four sizes.
function scales(    m, z, sizes, k) {
    for (m = 1; m <= 16; m *= 2) {
        steps = POINTS * 4 * m
        group("builtin", "multiplier", "clm", "", 0.2, "", 60000)
        runs(4, 0.43 - 0.05 * log(m), 4, 0)
    }
    steps = POINTS * 4
    group("builtin", "multiplier", "slm", 0.4, 0.2, "", 60000)
    runs(4, 0.38, 3, 0.8)
    split("0.06 0.18 0.86 3.3", sizes, " ")
    for (k = 1; k <= 4; k++) {
        z = sizes[k]
        group("builtin", "sizes", "clm", "", 0.2, z, 60000)
        runs(3, 0.45 - 0.01 * log(z), 4, 0)
        group("builtin", "sizes", "slm", 0.4, 0.2, z, 60000)
        runs(3, 0.40 - 0.01 * log(z), 4, 0.8)
    }
}

function openstax_arm(its_arm, its_ratio, n, to, tau) {
    group("openstax", "main", its_arm, its_ratio, "", "", 480000)
    runs(n, to, tau, 0)
}

function openstax_arms() {
    from = 3
    openstax_arm("reference", "", 1, 2.1, 3)
    openstax_arm("clm", "", 4, 2.7, 6)
    openstax_arm("slm", 0.4, 4, 2.3, 2.5)
    openstax_arm("slm", 0.6, 4, 2.4, 3)
    openstax_arm("random", 0.4, 4, 2.8, 6)
    openstax_arm("loss", 0.4, 4, 3.05, 6)
    openstax_arm("clm_tuned", "", 4, 2.2, 4)
    openstax_arm("slm_tuned", 0.4, 4, 2.15, 3)
    openstax_arm("mixed", "", 4, 2.25, 3)
    openstax_arm("clean", "", 4, 2.0, 3)
}

# What real text has besides: of OpenStax the set documents, of GSM8K both sets.
function real_documents(its_corpus, level) {
    other_arm(its_corpus, "documents", "clm", level + 0.08)
    other_arm(its_corpus, "documents", "slm", level)
    other_arm(its_corpus, "documents", "slm_tuned", level - 0.02)
    other_arm(its_corpus, "documents", "doc", level - 0.01)
    other_arm(its_corpus, "documents", "doc_slm", level - 0.02)
    other_arm(its_corpus, "documents", "doc_tuned", level - 0.04)
    other_arm(its_corpus, "documents", "doc_veto", level - 0.03)
    other_arm(its_corpus, "documents", "clean", level - 0.05)
}

function gsm8k_arms() {
    from = 0.5
    other_arm("gsm8k", "main", "reference", 0.34)
    other_arm("gsm8k", "main", "clm", 0.42)
    other_arm("gsm8k", "main", "slm", 0.36)
    other_arm("gsm8k", "main", "random", 0.44)
    other_arm("gsm8k", "main", "loss", 0.45)
    other_arm("gsm8k", "main", "mixed", 0.35)
    other_arm("gsm8k", "main", "clean", 0.31)
    real_documents("gsm8k", 0.36)
}

# ---- the other files ----

# How the losses of four classes of tokens move; null 1: with classes drawn by chance.
function trajectories(file,    class, share, chance, slope, level, s, null, c, p, part, moved) {
    print "seed,null,class,share,point,tokens,mean_loss" >file
    split("HL LH HH LL", class, " ")
    split("0.26 0.12 0.11 0.51", share, " ")
    split("0.10 0.09 0.15 0.66", chance, " ")
    split("-1 0.5 0 0", slope, " ")
    split("3.3 3.3 3.7 0.2", level, " ")
    for (s = 1; s <= 4; s++)
        for (null = 0; null <= 1; null++)
            for (c = 1; c <= 4; c++) {
                part = (null ? chance[c] : share[c]) + (uniform() - 0.5) * 0.01
                for (p = 1; p <= 8; p++) {
                    moved = level[c] + (null ? 0.1 : 1) * slope[c] * p / 8
                    printf "%d,%d,%s,%.6f,%d,%d,%.6f\n", s, null, class[c], part, p, p * 8192, \
                        moved >file
                }
            }
}

# How each kind is ranked: ids as the rest, other noise below it.
function ranks(file,    kinds, s, b, a, k) {
    print "seed,by,at,kind,auc,kept" >file
    split("problem step result other wrong id stamp markup", kinds, " ")
    for (s = 1; s <= 4; s++)
        for (b = 0; b <= 1; b++)
            for (a = 0; a <= 1; a++)
                for (k = 1; k <= 8; k++)
                    printf "%d,%s,%s,%s,%.6f,%.6f\n", s, b ? "loss" : "excess", \
                        a ? "end" : "start", kinds[k], \
                        (k == 6 ? 0.55 : 0.7 - 0.05 * k) + (uniform() - 0.5) * 0.01, 0.4 >file
}

# The perplexity of what a checkpoint selected, measured by others; worst where it is its own.
function selections(file,    s, cross, b, p, perplexity) {
    print "seed,kind,selected_by,measured_at,tokens,perplexity" >file
    for (s = 1; s <= 4; s++)
        for (cross = 0; cross <= 1; cross++)
            for (b = 2; b <= 8; b += 2)
                for (p = 1; p <= 8; p++) {
                    perplexity = 2.6 - 0.02 * p + (p == b && !cross) * 0.05
                    perplexity += (uniform() - 0.5) * 0.004
                    printf "%d,%s,%d,%d,%d,%.6f\n", s, cross ? "cross_seed" : "own", b, p, \
                        p * 8192, perplexity >file
                }
}

BEGIN {
    POINTS = 12
    steps = POINTS * 4
    wrong = 0.3
    state = 20240411
    from = 0.5
    curves = dir "/curves.csv"
    times = dir "/times.csv"
    heads()
    main_arms()
    ratios()
    maps()
    self_references()
    weak_references()
    controls()
    clean_texts()
    scales()
    documents()
    openstax_arms()
    real_documents("openstax", 2.3)
    gsm8k_arms()
    trajectories(dir "/trajectories.csv")
    selections(dir "/selections.csv")
    ranks(dir "/ranks.csv")
    tuning = dir "/tuning.csv"
    print "corpus,arm,lr,valid_loss,chosen,edge" >tuning
    print "builtin,clm,0.0005,0.45,0,0" >tuning
    print "builtin,clm,0.001,0.43,1,0" >tuning
    print "builtin,clm,0.002,0.44,0,0" >tuning
    print "builtin,ref,0.00025,0.41,0,0" >tuning
    print "builtin,ref,0.000125,0.40,1,1" >tuning
    made = dir "/run.csv"
    print "key,value\ncommit,0123456789abcdef\nmachine,\"a processor, made up\"" >made
    print "processors,3\nruns planned,9\nruns finished,7" >made
    settings = dir "/settings.csv"
    print "key,value\nquick,0\nratio,0.4\ncompiler,\"a compiler, made up\"" >settings
}
