# Completion for teiten: commands, their options, and files.
_teiten()
{
	local word=${COMP_WORDS[COMP_CWORD]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$(teiten help --words 2>/dev/null)" -- "$word"))
	elif [ "${word#-}" != "$word" ]; then
		COMPREPLY=($(compgen -W "$(teiten help --words "${COMP_WORDS[1]}" 2>/dev/null) --help" -- "$word"))
	elif [ "${COMP_WORDS[1]}" = help ]; then
		COMPREPLY=($(compgen -W "$(teiten help --words 2>/dev/null)" -- "$word"))
	else
		COMPREPLY=($(compgen -f -- "$word"))
	fi
}
complete -o filenames -F _teiten teiten
