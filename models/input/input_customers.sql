{{ select_input('customers') }}
