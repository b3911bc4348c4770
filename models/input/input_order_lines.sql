{{ select_input('order_lines') }}
