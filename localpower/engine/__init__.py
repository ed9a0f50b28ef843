"""llama.cpp. `library` alone imports llama_cpp; planner, ledger, slots and sequences are pure."""
