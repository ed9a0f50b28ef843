"""The cellar: llama.cpp. `library` alone imports llama_cpp; planner, slots, cells, compaction and lanes are pure."""
