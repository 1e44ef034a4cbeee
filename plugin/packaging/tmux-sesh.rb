class TmuxSesh < Formula
  desc "See, reach, message and wait for every coding agent in your tmux"
  homepage "https://github.com/OWNER/tmux-sesh"
  url "https://github.com/OWNER/tmux-sesh/archive/refs/tags/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"
  head "https://github.com/OWNER/tmux-sesh.git", branch: "main"

  depends_on "rust" => :build
  depends_on "tmux"

  def install
    system "cargo", "build", "--release", "--locked", "--bin", "tmux-sesh"
    system "bin/install", "--program", "target/release/tmux-sesh", "--prefix", prefix, "--with-plugin"
  end

  def caveats
    <<~EOS
      To load the plugin, add this line to the end of your tmux.conf:
        run-shell #{opt_pkgshare}/sesh.tmux
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/sesh-list --version")
  end
end
