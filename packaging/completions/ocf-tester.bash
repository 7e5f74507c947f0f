_ocf__tester() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="ocf__tester"
                ;;
            ocf__tester,compare)
                cmd="ocf__tester__subcmd__compare"
                ;;
            ocf__tester,completion)
                cmd="ocf__tester__subcmd__completion"
                ;;
            ocf__tester,explain)
                cmd="ocf__tester__subcmd__explain"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        ocf__tester)
            opts="-n -o -v -q -d -X -L -? -h -V --env --destructive --level --budget --seed --expect-fail --list --format --output --only --skip --help --version compare completion explain"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                -n)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --env)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --level)
                    COMPREPLY=($(compgen -W "must should info" -- "${cur}"))
                    return 0
                    ;;
                --budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --seed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expect-fail)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "human junit json" -- "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -W "META-01 META-02 META-03 USE-20 USE-21 MD-01 USE-24 USE-41 USE-25 USE-26 USE-27 MD-19 VAL-01 MON-03 USE-22 INV-03 INV-04 START-01 START-02 START-06 MON-01 INV-02 NOT-01 PRO-01 PRO-02 INV-09 STOP-01 START-03 REL-01 REL-02 STOP-06 STOP-04 MIG-01 MD-15 INV-07 MON-08 ENV-03 LVL-02 MON-02 PRO-03 PRO-06 PRO-04 PRO-05 REL-04 USE-39 NOT-02 USE-30 USE-31 USE-32 USE-33 USE-34 USE-35 USE-36 USE-72 USE-37 STOP-03 USE-62 MON-09 USE-55 USE-57 USE-38 START-07 INV-10 ENV-01 VAL-02 VAL-03 VAL-04 STOP-07 MD-18 USE-40 USE-60 USE-61 USE-56 VAL-05 VAL-06 MON-05 STOP-05 STOP-02 STOP-08 START-04 USE-70 USE-71 MIG-02 MIG-03 KILL-01 KILL-02 KILL-03 KILL-04 KILL-05 MON-04 STOP-09 STOP-10 STOP-11 REL-05 USE-58 EXIT-01 USE-23 USE-50 USE-51 USE-52 USE-53 USE-54" -- "${cur}"))
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -W "META-01 META-02 META-03 USE-20 USE-21 MD-01 USE-24 USE-41 USE-25 USE-26 USE-27 MD-19 VAL-01 MON-03 USE-22 INV-03 INV-04 START-01 START-02 START-06 MON-01 INV-02 NOT-01 PRO-01 PRO-02 INV-09 STOP-01 START-03 REL-01 REL-02 STOP-06 STOP-04 MIG-01 MD-15 INV-07 MON-08 ENV-03 LVL-02 MON-02 PRO-03 PRO-06 PRO-04 PRO-05 REL-04 USE-39 NOT-02 USE-30 USE-31 USE-32 USE-33 USE-34 USE-35 USE-36 USE-72 USE-37 STOP-03 USE-62 MON-09 USE-55 USE-57 USE-38 START-07 INV-10 ENV-01 VAL-02 VAL-03 VAL-04 STOP-07 MD-18 USE-40 USE-60 USE-61 USE-56 VAL-05 VAL-06 MON-05 STOP-05 STOP-02 STOP-08 START-04 USE-70 USE-71 MIG-02 MIG-03 KILL-01 KILL-02 KILL-03 KILL-04 KILL-05 MON-04 STOP-09 STOP-10 STOP-11 REL-05 USE-58 EXIT-01 USE-23 USE-50 USE-51 USE-52 USE-53 USE-54" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ocf__tester__subcmd__compare)
            opts="-n -o -h --env --differences --ignore --only --skip --format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                -n)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --env)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --differences)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ignore)
                    COMPREPLY=($(compgen -W "reasons wording effects description" -- "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "human json" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ocf__tester__subcmd__completion)
            opts="-h --help bash zsh fish"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        ocf__tester__subcmd__explain)
            opts="-h --help META-01 META-02 META-03 USE-20 USE-21 MD-01 USE-24 USE-41 USE-25 USE-26 USE-27 MD-19 VAL-01 MON-03 USE-22 INV-03 INV-04 START-01 START-02 START-06 MON-01 INV-02 NOT-01 PRO-01 PRO-02 INV-09 STOP-01 START-03 REL-01 REL-02 STOP-06 STOP-04 MIG-01 MD-15 INV-07 MON-08 ENV-03 LVL-02 MON-02 PRO-03 PRO-06 PRO-04 PRO-05 REL-04 USE-39 NOT-02 USE-30 USE-31 USE-32 USE-33 USE-34 USE-35 USE-36 USE-72 USE-37 STOP-03 USE-62 MON-09 USE-55 USE-57 USE-38 START-07 INV-10 ENV-01 VAL-02 VAL-03 VAL-04 STOP-07 MD-18 USE-40 USE-60 USE-61 USE-56 VAL-05 VAL-06 MON-05 STOP-05 STOP-02 STOP-08 START-04 USE-70 USE-71 MIG-02 MIG-03 KILL-01 KILL-02 KILL-03 KILL-04 KILL-05 MON-04 STOP-09 STOP-10 STOP-11 REL-05 USE-58 EXIT-01 USE-23 USE-50 USE-51 USE-52 USE-53 USE-54"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _ocf__tester -o nosort -o bashdefault -o default ocf-tester
else
    complete -F _ocf__tester -o bashdefault -o default ocf-tester
fi
