package org.espalier.node.ring;

import java.util.List;

/** Forms steps from ready sessions, client by client: decode rows first, then prefill rows up to a chunk. */
final class StepForming {

    /** The most rows of a step whose logits are all computed: 64 x V floats at the last node, 32 MB for V = 128k. */
    private static final int SCORED = 64;

    /** A step that several clients share takes about as long as so many steps of one row, so that none slows another down by more. */
    private static final int SHARED = 5;

    private final Turns turns;
    private final StepTimes times;
    private final int stages;
    private int most = StepRows.LEAST;

    StepForming(Turns turns, StepTimes times, int stages) {
        this.turns = turns;
        this.times = times;
        this.stages = stages;
    }

    /** From the next step on. */
    void setMost(int rows) {
        most = rows;
    }

    /** Prompts are read in steps that every node takes, until a ring joins again: some node had no room for as many rows as it said. */
    void stepBack() {
        most = StepRows.LEAST;
    }

    /**
     * Takes the next step's sessions out of their queues.
     *
     * @param shared whether generations of several clients run, also where those of only one are ready
     * @param running how many generations run: they are spread over the stages, since one step with all of them would leave the others idle
     */
    Flight next(boolean shared, int running) {
        List<Turns.Ready> clients = turns.inOrder();
        int room = shared ? Math.min(most, times.rowsWithin(SHARED)) : most;
        Flight flight = new Flight();
        Turns.Ready first = clients.get(0);
        if (!first.alone.isEmpty()) {
            HeadSession alone = first.alone.remove();
            flight.add(alone, alone.scoring() ? Math.min(room, SCORED) : room);
            turns.rotate(1);
            return flight;
        }
        int share = (running + stages - 1) / stages;
        int served = fill(flight, clients, room, share);
        turns.rotate(served < clients.size() ? served : 1);
        return flight;
    }

    /** Shares a step's rows among the clients; returns how many of them had their turn. */
    private static int fill(Flight flight, List<Turns.Ready> clients, int room, int share) {
        int left = room;
        int scored = 0;
        int served = 0;
        for (; served < clients.size() && left > 0; served++) {
            Turns.Ready client = clients.get(served);
            int most = (left - 1) / (clients.size() - served) + 1;
            int allowance =
                    most - decode(flight, client, Math.min(share, client.prefilling.isEmpty() ? most : (most + 1) / 2));
            while (!client.prefilling.isEmpty() && allowance > 0) {
                boolean scoring = client.prefilling.element().scoring();
                int fits = scoring ? Math.min(allowance, SCORED - scored) : allowance;
                if (fits == 0) {
                    break; // it is the first of the next step
                }
                int added = flight.add(client.prefilling.remove(), fits);
                allowance -= added;
                scored += scoring ? added : 0;
            }
            left -= most - allowance;
        }
        return served;
    }

    private static int decode(Flight flight, Turns.Ready client, int most) {
        int rows = 0;
        while (!client.decoding.isEmpty() && rows < most) {
            rows += flight.add(client.decoding.remove(), 1);
        }
        return rows;
    }
}
