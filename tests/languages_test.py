"""Apps in other languages, with their own dependency managers and registries."""

from harness import ROOT, StoryTest, main, needs_network, needs_root


@needs_root
@needs_network
class Languages(StoryTest):
    def push_example(self, name):
        directory = ROOT / "examples" / name
        files = {str(p.relative_to(directory)): p.read_text() for p in directory.rglob("*") if p.is_file()}
        self.create(name)
        return self.server.push(self.repository(files, name), name).stderr

    def test_a_node_app_with_a_package_from_npm(self):
        output = self.push_example("nodejs")
        for part in ("-----> Node.js app detected", "Using Node.js ", "Installing node modules using 'npm install'"):
            self.assertIn(part, output)
        self.server.wait_for_page("nodejs", "Hello from Node.js v")


main()
