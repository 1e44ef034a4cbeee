fn main() -> std::process::ExitCode {
    tmux_sesh::cli::multicall()
}
