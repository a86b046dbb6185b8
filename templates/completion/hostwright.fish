# fish completion for hostwright: hostwright complete fish >~/.config/fish/completions/hostwright.fish
function __hostwright_complete
    set -l typed (commandline -opc)
    set -l program $typed[1]
    set -l begun (string unescape -- (commandline -ct))
    test -n "$begun"; or set begun (commandline -ct)
    # The mark keeps an empty last word.
    for line in ($program complete words -- $typed[2..-1] "=$begun" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path $begun
        else
            printf '%s\n' $line
        end
    end
end
complete -c hostwright -f -a '(__hostwright_complete)'
