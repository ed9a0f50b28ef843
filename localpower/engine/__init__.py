"""The cellar: llama.cpp. `binding` alone imports llama_cpp; `slots`, `cells` and `planner` are pure."""
