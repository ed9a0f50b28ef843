"""The cellar: llama.cpp. `library` alone imports llama_cpp; planner, ledger, slots and lanes are pure."""
