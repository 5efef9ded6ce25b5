export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/**
 * The script that a shell loads. It only carries words to and fro: `dray __complete WORDS…` decides, its first line says
 * what follows (`words`, `words-open` when the word goes on, `files`), each other line is a word, a tab and what it means.
 */
export const completionScript = (shell: Shell, options: { descriptions: boolean }): string =>
  scripts[shell].replaceAll("@DESCRIPTIONS@", options.descriptions ? "1" : "").trimStart();

const scripts: Readonly<Record<Shell, string>> = {
  bash: `
# Completion of dray for bash. Load it with: source <(dray completion bash)
__dray_complete() {
  local line="\${COMP_LINE:0:COMP_POINT}" words kind candidate
  read -ra words <<<"$line"
  case "$line" in *[[:space:]]) words+=("") ;; esac
  local current="\${words[\${#words[@]} - 1]}"
  # bash takes ":" and "=" as the beginning of a new word; only what follows is replaced.
  local last="\${COMP_WORDS[COMP_CWORD]}"
  case "$last" in : | =) last="" ;; esac
  local head="\${current%"$last"}"
  COMPREPLY=()
  {
    read -r kind || return
    while IFS=$'\\t' read -r candidate _; do
      COMPREPLY+=("\${candidate#"$head"}")
    done
  } < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  case "$kind" in
    words-open) compopt -o nospace 2>/dev/null ;;
    files)
      if ((\${#COMPREPLY[@]} > 0)); then
        while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$last")
        compopt -o filenames 2>/dev/null
      else
        compopt -o default 2>/dev/null
      fi
      ;;
  esac
}
complete -F __dray_complete dray
`,
  zsh: `
#compdef dray
# Completion of dray for zsh. Load it with: source <(dray completion zsh)
_dray() {
  local -a lines candidates shown
  local kind line with_descriptions=@DESCRIPTIONS@
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  kind="\${lines[1]}"
  for line in "\${(@)lines[2,-1]}"; do
    [[ -z "$line" ]] && continue
    candidates+=("\${line%%$'\\t'*}")
    if [[ -n "$with_descriptions" && "$line" == *$'\\t'?* ]]; then
      shown+=("\${line%%$'\\t'*}  -- \${line#*$'\\t'}")
    else
      shown+=("\${line%%$'\\t'*}")
    fi
  done
  case "$kind" in
    words-open) compadd -S '' -l -d shown -a candidates ;;
    files) compadd -l -d shown -a candidates; [[ "\${words[CURRENT]}" == --*=* ]] && compset -P '*='; _files ;;
    *) compadd -l -d shown -a candidates ;;
  esac
}
if [[ "\${funcstack[1]}" == _dray ]]; then
  _dray "$@"
else
  compdef _dray dray
fi
`,
  fish: `
# Completion of dray for fish. Load it with: dray completion fish | source
function __dray_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] 2>/dev/null)
    for line in $lines[2..-1]
        if test -n "@DESCRIPTIONS@"
            echo $line
        else
            string split -f 1 \\t -- $line
        end
    end
    if test "$lines[1]" = files
        set -l head (string match -r -- '^--[^=]+=' (commandline -ct))
        for path in (__fish_complete_path (string replace -- "$head" "" (commandline -ct)))
            echo -- "$head$path"
        end
    end
end
complete -c dray -f -a '(__dray_complete)'
`,
  powershell: `
# Completion of dray for PowerShell. Load it with: dray completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName dray -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $program = $words[0]
    $arguments = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $arguments += '""' }
    $lines = @(& $program __complete @arguments 2>$null)
    if ($lines.Count -gt 0 -and $lines[0] -eq 'files') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
    $lines | Select-Object -Skip 1 | ForEach-Object {
        $word, $meaning = $_ -split [char]9, 2
        if (-not $meaning -or -not '@DESCRIPTIONS@') { $meaning = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
    }
}
`,
};
