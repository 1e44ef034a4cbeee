fn main() -> std::process::ExitCode {
    tmux_sesh::cli::main(&tmux_sesh::cli::SESH_LAND)
}
