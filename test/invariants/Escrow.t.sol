// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {EscrowHandler} from "./EscrowHandler.sol";

/// @title The money of the escrow, whatever anybody does
contract EscrowInvariants {
    EscrowHandler private _handler;

    function setUp() public {
        _handler = new EscrowHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev Every staked token can be withdrawn.
    /// hardhat-config: default.invariant.runs = 8
    /// hardhat-config: default.invariant.depth = 60
    /// hardhat-config: default.invariant.fail-on-revert = true
    function invariant_theTokensOfTheHubCoverTheSupply() public view {
        assert(_handler.token().balanceOf(address(_handler.hub())) >= _handler.hub().totalSupply());
    }

    /// @dev Nothing is made and nothing is lost between accounts.
    /// hardhat-config: default.invariant.runs = 8
    /// hardhat-config: default.invariant.depth = 60
    /// hardhat-config: default.invariant.fail-on-revert = true
    function invariant_theSupplyIsTheSumOfTheBalances() public view {
        assert(_handler.sumOfBalances() == _handler.hub().totalSupply());
    }

    /// @dev Everything that is locked, and the kitty, is there to be unlocked, and nothing else is in custody.
    /// hardhat-config: default.invariant.runs = 8
    /// hardhat-config: default.invariant.depth = 60
    /// hardhat-config: default.invariant.fail-on-revert = true
    function invariant_whatIsHeldIsWhatIsLocked() public view {
        assert(_handler.hub().balanceOf(address(_handler.hub())) == _handler.sumOfFrozen());
    }

    /// @dev A task that ended stays as it ended.
    /// hardhat-config: default.invariant.runs = 8
    /// hardhat-config: default.invariant.depth = 60
    /// hardhat-config: default.invariant.fail-on-revert = true
    function invariant_noTaskIsRevived() public view {
        assert(_handler.revived() == 0);
    }

    /// @dev The invariants would hold if nothing ever happened: every action reaches its end.
    function test_everyActionReachesItsEnd() public {
        _handler.openDeal(2, 5e9, 7e9, 2);
        _handler.complete(0, 0, 3);
        _handler.claim(0, 1);
        _handler.openDeal(1, 1, 10, 0);
        _handler.complete(1, 0, 1);
        _handler.deposit(2, 3, 1e9);
        _handler.withdraw(2, 3, 1e9);
        _handler.transfer(2, 3, 1e9);
        _handler.sendByMistake(2, 1e9);
        _handler.recover();
        _handler.pass(10);
        assert(_handler.matches() == 2);
        assert(_handler.completions() == 2);
        assert(_handler.claims() == 1);
        assert(_handler.hub().balanceOf(address(_handler)) == 1e9);
        assert(_handler.sumOfBalances() == _handler.hub().totalSupply());
        assert(_handler.hub().balanceOf(address(_handler.hub())) == _handler.sumOfFrozen());
    }
}
