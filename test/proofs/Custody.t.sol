// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {Sizes} from "./Sizes.sol";
import {StorageHarness} from "./StorageHarness.sol";

/// @title The moves of the escrow, one at a time, on accounts in any state
contract CustodyProperties {
    struct State {
        uint256 free;
        uint256 frozen;
        uint256 score;
        uint256 held;
        uint256 kitty;
    }

    uint256 private constant MOVES = 5;
    address private constant ACCOUNT = address(0xa11ce);
    address private constant OTHER = address(0xb0b);

    StorageHarness private _hub;

    function setUp() public {
        _hub = new StorageHarness();
    }

    /// @notice Each move changes free, locked and held money and the kitty by its amount and as its name says, or, where
    /// that is not there, is refused; it touches neither a score nor another account.
    function test_moves(uint256 move, uint256[5] calldata values, uint256 sizes, uint64 score) external {
        move %= MOVES;
        State memory state = _begin(values, sizes, score);
        uint256 amount = Sizes.any(values[4], sizes >> 64);
        // What another account's locks and price are made of bounds what can be paid and seized: all fit 96 bits.
        if (move > 1) amount &= type(uint96).max;
        try _hub.act(move, ACCOUNT, amount) {
            _compare(_moved(state, move, amount));
        } catch {
            assert(!_isPossible(state, move, amount));
            _compare(state);
        }
    }

    /// @notice A transfer takes from one account what it gives to another, or is refused.
    function test_transfers(uint256[5] calldata values, uint256 sizes, uint64 score) external {
        State memory state = _begin(values, sizes, score);
        uint256 amount = Sizes.any(values[4], sizes >> 64);
        try _hub.transfer(ACCOUNT, OTHER, amount) {
            assert(amount <= state.free);
            (uint256 free, uint256 frozen, uint256 otherScore) = _hub.accountOf(OTHER);
            assert(free == 7 + amount && frozen == 8 && otherScore == 9);
            (free, frozen, otherScore) = _hub.accountOf(ACCOUNT);
            assert(free == state.free - amount && frozen == state.frozen && otherScore == state.score);
        } catch {
            assert(amount > state.free || amount > type(uint96).max - 7);
        }
    }

    function _begin(uint256[5] calldata values, uint256 sizes, uint64 score) private returns (State memory state) {
        // Together no more than the supply can be.
        state.free = Sizes.within(values[0], sizes, 94);
        state.frozen = Sizes.within(values[1], sizes >> 16, 94);
        state.held = Sizes.within(values[2], sizes >> 32, 94);
        state.kitty = Sizes.within(values[3], sizes >> 48, 94);
        state.score = score;
        _hub.setAccount(ACCOUNT, uint96(state.free), uint96(state.frozen), score);
        _hub.setAccount(OTHER, 7, 8, 9);
        _hub.setVault(uint96(state.held), uint96(state.kitty));
    }

    function _isPossible(State memory state, uint256 move, uint256 amount) private pure returns (bool) {
        if (move == 0) return amount <= state.free && state.held + amount <= type(uint96).max;
        if (move == 1) return amount <= state.frozen && amount <= state.held;
        if (move == 2) return amount <= state.frozen;
        if (move == 3) return amount <= state.held && state.free + amount <= type(uint96).max;
        return state.kitty + amount <= type(uint96).max;
    }

    function _moved(State memory state, uint256 move, uint256 amount) private pure returns (State memory) {
        if (move == 0)
            (state.free, state.frozen, state.held) = (state.free - amount, state.frozen + amount, state.held + amount);
        else if (move == 1)
            (state.free, state.frozen, state.held) = (state.free + amount, state.frozen - amount, state.held - amount);
        else if (move == 2) state.frozen -= amount;
        else if (move == 3) (state.free, state.held) = (state.free + amount, state.held - amount);
        else state.kitty += amount;
        return state;
    }

    function _compare(State memory state) private view {
        (uint256 free, uint256 frozen, uint256 score) = _hub.accountOf(ACCOUNT);
        assert(free == state.free && frozen == state.frozen && score == state.score);
        assert(_hub.held() == state.held && _hub.kitty() == state.kitty);
        (free, frozen, score) = _hub.accountOf(OTHER);
        assert(free == 7 && frozen == 8 && score == 9);
    }
}
