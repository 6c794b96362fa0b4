// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMulticall} from "../../contracts/interfaces/IMulticall.sol";
import {INativeEscrow} from "../../contracts/interfaces/INativeEscrow.sol";
import {Rules} from "./Rules.sol";
import {vm} from "./Vm.sol";

/// @title NativeChapter
/// @notice The edge of an escrow over the chain's own currency: what comes along is a deposit, the rest goes back.
abstract contract NativeChapter is Rules {
    /// @notice Thrown when somebody paid or got back another number of wei than the rules say.
    error WeiLost(address account, uint256 expected, uint256 found);

    uint256 private constant UNIT = 1e9;

    function depositCurrency(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 value = _value(from);
        bool done = _pay(
            _canMint(value / UNIT),
            from,
            value - (value % UNIT),
            value,
            abi.encodeCall(INativeEscrow.deposit, ())
        );
        if (done) _bookMint(from, value / UNIT);
    }

    function depositCurrencyFor(uint256 seed) external action(seed) {
        (address from, address to) = (_someone(), _target());
        uint256 value = _value(from);
        bool allowed = to != NOBODY && _canMint(value / UNIT);
        bytes memory data = abi.encodeCall(INativeEscrow.depositFor, (to));
        if (_pay(allowed, from, value - (value % UNIT), value, data)) _bookMint(to, value / UNIT);
    }

    function depositCurrencyForArray(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 value = _value(from);
        address[] memory targets = new address[](_draw(4));
        uint256[] memory amounts = new uint256[](_chance(12) ? targets.length + 1 : targets.length);
        uint256 total;
        bool allowed = amounts.length == targets.length;
        for (uint256 i = 0; i < targets.length; ++i) {
            (targets[i], amounts[i]) = (_target(), _draw(value / UNIT / 3 + 1) + (_chance(12) ? value / UNIT : 0));
            total += amounts[i];
            allowed = allowed && targets[i] != NOBODY;
        }
        allowed = allowed && total <= value / UNIT && _canMint(total);
        bytes memory data = abi.encodeCall(INativeEscrow.depositForArray, (amounts, targets));
        if (!_pay(allowed, from, total * UNIT, value, data)) return;
        for (uint256 i = 0; i < targets.length; ++i) {
            _bookMint(targets[i], amounts[i]);
        }
    }

    /// @dev Without a call, or with one that nobody knows.
    function sendCurrency(uint256 seed) external action(seed) {
        address from = _someone();
        uint256 value = _value(from);
        bytes memory data = _chance(2) ? bytes("") : bytes("unknown");
        bool allowed = (data.length == 0 || value > 0) && _canMint(value / UNIT);
        if (_pay(allowed, from, value - (value % UNIT), value, data)) _bookMint(from, value / UNIT);
    }

    /// @dev What comes along is there for the calls, once.
    function multicallWithCurrency(uint256 seed) external action(seed) {
        (address from, address to) = (_someone(), _someone());
        uint256 value = _value(from);
        bytes[] memory inner = new bytes[](2);
        uint256 amount = _amountOf(_free[from] + value / UNIT);
        inner[0] = abi.encodeCall(IERC20.transfer, (to, amount));
        inner[1] = abi.encodeCall(INativeEscrow.deposit, ());
        bool allowed = _canMint(value / UNIT) && amount <= _free[from] + value / UNIT;
        bytes memory data = abi.encodeCall(IMulticall.multicall, (inner));
        if (!_pay(allowed, from, value - (value % UNIT), value, data)) return;
        _bookMint(from, value / UNIT);
        _bookMove(from, to, amount);
    }

    /// @dev A call that knows nothing of money takes none.
    function payWhereNothingIsPaid(uint256 seed) external action(seed) {
        address from = _someone();
        if (from.balance == 0) return;
        _pay(false, from, 0, 1 + _draw(from.balance), abi.encodeCall(IERC20.transfer, (address(this), 0)));
    }

    function _pay(
        bool allowed,
        address from,
        uint256 kept,
        uint256 value,
        bytes memory data
    ) private returns (bool done) {
        uint256 expected = from.balance - (allowed ? kept : 0);
        vm.prank(from);
        bytes memory answer;
        (done, answer) = address(hub).call{value: value}(data);
        _count(bytes4(data), done);
        _expect(done == allowed, bytes4(data), done, answer);
        require(from.balance == expected, WeiLost(from, expected, from.balance));
    }

    function _value(address from) private returns (uint256) {
        uint256 kind = _draw(12);
        if (kind == 0) return 0;
        if (kind == 1) return from.balance;
        return kind == 2 ? _draw(_min(2 * UNIT, from.balance) + 1) : _draw(from.balance / 100 + 1);
    }

    function _canMint(uint256 amount) private view returns (bool) {
        return _supply + amount <= MAX_SUPPLY;
    }

    function _sendByMistake() internal virtual override {
        vm.deal(address(hub), address(hub).balance + _draw(1e18));
    }

    function _custody() internal view virtual override returns (uint256) {
        return address(hub).balance / UNIT;
    }
}
